"""The mail edge: SMTP and LMTP in, answers and reports out."""
