"""What every room may use: errors, text that is safe to print, nearest names, globs, documents that are read again."""
