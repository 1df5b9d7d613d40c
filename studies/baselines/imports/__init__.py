"""Results of the model alone that were made elsewhere: files read, matched to a study's questions, kept as a run."""
