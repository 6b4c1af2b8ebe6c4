"""What is known about a lead at a moment. Pure: no file, no connection, no clock."""
