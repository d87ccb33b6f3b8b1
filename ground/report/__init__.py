"""Reports: a stream and its reference in, figures and pages to look at out."""
