"""What marketing and sales are told about a lead. Pure: no file, no connection, no clock."""
