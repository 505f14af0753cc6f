"""Training data made clean and safe to evaluate with: rules, duplicates, languages, translations, benchmarks."""
