"""What a run ran in: interpreter, platform, installed packages, git commit and the uncommitted patch, as captured."""
