"""What people want and may want: the words that bind."""
