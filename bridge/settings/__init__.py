"""bridge.toml and the environment come in; `Settings` goes out, read once and checked whole.

Secrets are `SecretStr`: printing or logging a setting never shows one.
"""

from bridge.settings.loading import SettingsError, load
from bridge.settings.sections import (
    SANDBOX,
    Carrier,
    Database,
    Health,
    Http,
    Login,
    Mail,
    Privacy,
    Queue,
    Route,
    Sandbox,
    Sender,
    Settings,
    Slack,
    Smtp,
    Telegram,
    Tenant,
)
from bridge.settings.values import Listen

__all__ = [
    "SANDBOX",
    "Carrier",
    "Database",
    "Health",
    "Http",
    "Listen",
    "Login",
    "Mail",
    "Privacy",
    "Queue",
    "Route",
    "Sandbox",
    "Sender",
    "Settings",
    "SettingsError",
    "Slack",
    "Smtp",
    "Telegram",
    "Tenant",
    "load",
]
