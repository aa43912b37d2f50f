"""Pictures: a result in, a labelled picture out, no computing.

picture.py holds what all pictures share (style, colours, parts, blitting); every other file
holds the pictures of the notebook of the same name.
"""
