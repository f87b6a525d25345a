"""Models: the artifact, its manifest, verification and prediction."""
