"""Reports: one document, one small module a format."""
