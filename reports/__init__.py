"""Reports: results → statistics → leaderboard → HTML, Markdown, CSV, LaTeX."""
