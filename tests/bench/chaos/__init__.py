"""Many bots in whole sessions while the server's parts are killed; then their own record is held against the rows."""
