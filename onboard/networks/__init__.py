"""Analysis engines: planes in, latents out. Nothing else knows which engine runs."""

from bandfold.onboard.networks.engine import AnalysisEngine, IntegerNetwork
from bandfold.onboard.networks.network_engine import NetworkEngine
from bandfold.onboard.transform.cosine import CosineEngine

__all__ = ["AnalysisEngine", "CosineEngine", "IntegerNetwork", "NetworkEngine"]
