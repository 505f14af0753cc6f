"""The sentence-transformers trainer, fed with planned batches."""

from __future__ import annotations

from functools import partial
from typing import Any

from accelerate.data_loader import prepare_data_loader
from sentence_transformers import SentenceTransformerTrainer
from torch.utils.data import DataLoader

from isogloss.batching import BatchPlanner
from isogloss.training.batch_loading import PlannedBatchSampler
from isogloss.training.gradient_clipping import clip_sparse_gradients
from isogloss.training.pair_texts import PairDataset
from isogloss.training.processes import ALONE, Share, wait_for_all
from isogloss.training.row_sparse_adamw import RowSparseAdamW
from isogloss.training.sparse_averaging import average_sparse_gradients, keep_from_wrapper
from isogloss.training.word_embeddings import sparse_embeddings


class HybridTrainer(SentenceTransformerTrainer):
    """`SentenceTransformerTrainer` whose batches come from a `BatchPlanner` instead of from a shuffled dataset.

    All else is the parent's: arguments, logging integrations, mixed precision, gradient accumulation, checkpoints.
    With gradient accumulation every micro-step is a planned batch of its own. After a resume the parent passes over
    the batches already trained on, which the planner makes anew without reading any text; so the next batch is the
    one that an undisturbed run would have had. Where several processes train, the planner's batch is what they train
    on together, each on its part.

    Args:
        pairs: the texts by pair.
        planner: plans the batches.
        **arguments: those of `SentenceTransformerTrainer`; `args.max_steps` must be set.
    """

    def __init__(self, *, pairs: PairDataset, planner: BatchPlanner, **arguments: Any) -> None:
        self.planner = planner
        keep_from_wrapper(arguments["model"])
        super().__init__(train_dataset=pairs, **arguments)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return the loader of the planned batches, or of this process's part of each."""
        share = Share.of(self.args)
        # Which hard negatives to leave out is seen in the whole batch; without any, other parts need no looking up.
        looks_at_all = share.processes > 1 and self.train_dataset.hard_negatives > 0
        sampler = PlannedBatchSampler(
            self.planner,
            self.args.max_steps * self.args.gradient_accumulation_steps,
            ALONE if looks_at_all else share,
        )
        loader: DataLoader[Any] = DataLoader(
            self.train_dataset,
            batch_sampler=sampler,
            collate_fn=partial(self.data_collator, share=share) if looks_at_all else self.data_collator,
            num_workers=self.args.dataloader_num_workers,
            pin_memory=self.args.dataloader_pin_memory,
            persistent_workers=self.args.dataloader_persistent_workers,
            prefetch_factor=self.args.dataloader_prefetch_factor,
        )
        # The accelerator would deal whole batches out in turn; this loader's are this process's already.
        prepared: DataLoader[Any] = prepare_data_loader(
            loader,
            self.accelerator.device,
            num_processes=1,
            process_index=0,
            put_on_device=self.accelerator.device_placement,
            dispatch_batches=False,
            non_blocking=self.accelerator.non_blocking,
        )
        self._train_dataloader = prepared
        return prepared

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
        """Pass a batch back as the parent does; then average over processes what the parent's wrapper does not."""
        loss = super().training_step(model, inputs, num_items_in_batch)
        # With gradient accumulation, once a step.
        if Share.of(self.args).processes > 1 and self.accelerator.sync_gradients:
            average_sparse_gradients(self.model)
        return loss

    def _save_rng_state(self, output_dir: str) -> None:
        """Save what the parent does; a checkpoint counts as whole by a file written after every process's state."""
        super()._save_rng_state(output_dir)
        wait_for_all()

    def create_accelerator_and_postprocess(self) -> None:
        """Make the accelerator; let it clip the gradients of sparse word embeddings, too."""
        super().create_accelerator_and_postprocess()
        clip_sparse_gradients(self.accelerator)

    def get_optimizer_cls_and_kwargs(self, args: Any, model: Any = None) -> tuple[Any, Any]:
        """Return the parent's optimiser; where word embeddings are sparse, the AdamW that updates rows."""
        optimizer, keywords = super().get_optimizer_cls_and_kwargs(args, model)
        return (RowSparseAdamW if sparse_embeddings(self.model) else optimizer), keywords

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Leave the parent's model card out, which describes columns; `isogloss.training.model_card` writes ours."""
