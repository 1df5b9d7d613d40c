"""The participant's pages and socket."""
