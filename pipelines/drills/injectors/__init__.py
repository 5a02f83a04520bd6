"""What goes wrong in a drill. Nothing here knows how anything is noticed: an import contract keeps detectors and limits out."""
