"""Calibration: scenes in, the statistics that the format ships out, trained again from any folder of scenes.

``python -m bandfold.calibration.tables --scenes DIR -o OUT.npz`` runs the whole chain: scenes become latents
as the encoder makes them (`corpus`), latents become examples of contexts (`material`, `examples`), a small
network learns to sort contexts into classes (`context_training`, the only module that needs PyTorch) and is
rounded to integers (`integer_tables`), and frequencies and reconstruction points are counted again with it
(`recount`). ``python -m bandfold.calibration.dependent`` does so for trellis-coded quantisation. `folds`
deals scenes into sets for cross-validation: figures are measured on scenes that the tables have not seen.
`sensor_fit` fits the spectral transform of a sensor, `activations` the ranges of a quantised network.
"""
