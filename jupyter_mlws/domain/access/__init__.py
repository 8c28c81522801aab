"""Who does something (actor), with what credentials (tokens), and whether they may (`authorize`). Denied by default."""
