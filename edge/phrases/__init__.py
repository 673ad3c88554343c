"""Set phrases of procedure (程序用语): from a file that the court can edit, filled in for the case, one touch each."""
