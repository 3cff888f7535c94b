"""The machinery: runs, learns, judges and reports. It knows no galaxy."""
