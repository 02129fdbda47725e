"""The inspector: a Gradio app that shows what a run did. It reads run folders and nothing else, and imports no torch."""
