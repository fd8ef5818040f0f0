"""What is kept: tables, statements, scripts and migrations, for SQLite and PostgreSQL."""
