"""Telegram: updates come in, posts and topics go out. aiogram is imported only in here."""
