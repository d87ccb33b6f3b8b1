"""Analysis engines: planes in, latents out. Nothing else knows which engine runs."""

from .base import AnalysisEngine, IntegerNetwork
from .cosine import CosineEngine
from .network import NetworkEngine

__all__ = ["AnalysisEngine", "CosineEngine", "IntegerNetwork", "NetworkEngine"]
