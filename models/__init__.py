"""What is predicted, how it is learned, and how well it does. Pure: no file, no connection, no clock."""
