"""Analysis engines: components in, latents out. Nothing else knows which engine runs."""

from .base import AnalysisEngine
from .cosine import CosineEngine

__all__ = ["AnalysisEngine", "CosineEngine"]
