"""What comes in as mail, Slack or Telegram goes out as SMS, and the answers come back."""

__version__ = "0.1.0"
