"""Work to be done later: the rows, and the threads that touch the database."""
