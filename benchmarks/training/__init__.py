"""How training goes on in TF2 from a converted checkpoint: loss curves of both sides."""
