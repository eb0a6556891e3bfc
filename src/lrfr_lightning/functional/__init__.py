"""Pure maths on arrays and tensors."""
