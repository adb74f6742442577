"""Messages and files written by hand, with line ends as Python writes them."""


def octets(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()
