"""Calibration: the statistics that the format ships, trained again from any folder of scenes.

``python -m bandfold.calibration.tables --scenes DIR -o OUT.npz`` runs the whole chain: scenes become latents
as the encoder makes them (`corpus`), latents become examples of contexts (`examples`), a small network
learns to sort contexts into classes (`contexts_training`, the only module that needs PyTorch) and is rounded
to integers (`integer_tables`), and frequencies and reconstruction points are counted again with it
(`recount`). `folds` deals scenes into sets that leave some out, so that figures can be measured on scenes that the tables
have not seen.
"""
