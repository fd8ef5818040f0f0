"""The chat edge: commands typed in Slack and Telegram."""
