"""Slack: what people do there comes in as events, views go out as blocks."""
