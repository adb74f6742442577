"""What is right in `cases/` and the product does not do yet. An entry goes when its test passes."""

# Cases whose expected file is right and which the product does not meet yet, with what it does instead.
NOT_YET: dict[str, str] = {
    "headers_long_non_ascii": "a long word that is encoded anyway, as Chinese texts are, is refused as too long",
    "problem_raw_address": "where a recipient of a finished message is faulty, it is said that there is none",
}
