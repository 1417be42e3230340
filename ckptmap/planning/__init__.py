"""From names, shapes and dtypes to the ledger: one fate for every variable. Nothing here reads or writes."""
