"""The training of `digits.ipynb` as a plain script, for command jobs and terminals.

    python train.py --epochs 10 --learning-rate 0.01

Alone it tracks its own run; submitted as a job it continues the job's run.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import mlws


def read_arguments() -> argparse.Namespace:
    """The parameters of the training, from the command line."""
    parser = argparse.ArgumentParser(description="Learn to read handwritten digits.")
    parser.add_argument("--learning-rate", type=float, default=0.003, help="step size of the optimizer (%(default)s)")
    parser.add_argument("--epochs", type=int, default=20, help="passes over the training images (%(default)s)")
    parser.add_argument("--hidden", type=int, default=64, help="neurons in the hidden layer (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=64, help="images per step (%(default)s)")
    parser.add_argument("--optimizer", choices=["adam", "sgd"], default="adam", help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="makes the run repeatable (%(default)s)")
    return parser.parse_args()


def main() -> None:
    """Train, log a point per epoch, keep the model."""
    arguments = read_arguments()
    mlws.log_params(vars(arguments))

    images, labels = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        images / 16.0, labels, test_size=0.2, stratify=labels, random_state=arguments.seed
    )
    model = MLPClassifier(
        hidden_layer_sizes=(arguments.hidden,),
        solver=arguments.optimizer,
        learning_rate_init=arguments.learning_rate,
        random_state=arguments.seed,
    )
    rng = np.random.default_rng(arguments.seed)
    classes = np.unique(labels)
    for epoch in range(1, arguments.epochs + 1):
        order = rng.permutation(len(x_train))
        for start in range(0, len(order), arguments.batch_size):
            batch = order[start : start + arguments.batch_size]
            model.partial_fit(x_train[batch], y_train[batch], classes=classes)
        train_loss = log_loss(y_train, model.predict_proba(x_train), labels=classes)
        mlws.log_metric("train_loss", train_loss, step=epoch)
        print(f"epoch {epoch:>3} of {arguments.epochs}  train loss {train_loss:.4f}", flush=True)

    accuracy = model.score(x_test, y_test)
    mlws.log_metric("test_accuracy", accuracy)
    print(f"test accuracy {accuracy:.4f}")

    outputs = Path("outputs")
    outputs.mkdir(exist_ok=True)
    joblib.dump(model, outputs / "model.joblib")


if __name__ == "__main__":
    main()
