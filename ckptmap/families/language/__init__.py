"""BERT, ALBERT, ELECTRA and GPT-2 as their authors published them for TF1."""
