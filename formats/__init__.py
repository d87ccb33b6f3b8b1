"""Files of scenes: a file of any format that is read in, blocks of samples and header fields out, and back.

A folder of its own because `bandfold encode` reads what `bandfold decode` writes: the same wavelengths,
no-data values and map references in the same places. `onboard` may not import the libraries for that, and
`ground` may not be imported where scenes are read to be encoded. A reader has the shape of
`bandfold.common.scene.SceneSource`, a writer is a `bandfold.formats.scene_writer.SceneWriter`. Each module
imports the library of its format when it is used.
"""
