"""The web edge: HTTP requests in; health, metrics and the sandbox phones out."""
