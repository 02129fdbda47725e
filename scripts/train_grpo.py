"""GRPO training: `accelerate launch scripts/train_grpo.py --config configs/train/quickstart.yaml [--max_steps 10 ...]`.

The same as `vlrl train`, for launchers that want a script.
"""

import sys

from vlrl.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
