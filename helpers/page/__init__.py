"""What makes a notebook page alive, the same for every notebook."""
