"""Coverage-guided fuzzing: ``make fuzz`` runs ten minutes over every parser and every verification."""
