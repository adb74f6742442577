"""What is right in `cases/` and the product does not do yet. An entry goes when its test passes."""

# Cases whose expected file is right and which the product does not meet yet, with what it does instead.
NOT_YET: dict[str, str] = {}
