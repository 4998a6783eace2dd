"""A page with a chart and the network's own parts beneath it, for the browser tests."""

import numpy as np
import streamlit as st
import torch

from metademo import checkpoints
from metademo.analysis.walk import Walk
from metademo.models import Model
from metademo.moments.views import MamlView
from metademo.tasks import Examples, Waves, as_waves
from metademo.ui.components.chart.chart import interactive_chart
from metademo.ui.components.units.units import units_chart
from metademo.ui.scenes.scenes import maml_scene
from metademo.ui.scenes.units_scene import units_scene

PAGE = "units"
POINTS = ((-4.0, 0.76), (-1.6, -1.0), (1.0, 0.84), (4.0, -0.76))

st.set_page_config(page_title="units", layout="wide")
torch.set_num_threads(1)
points = () if st.toggle("No points") else POINTS
saved = checkpoints.load(checkpoints.shipped("maml-any-phase"))
model, family = Model.of(saved), as_waves(saved.config.task_family)
view = MamlView(points=points)
interactive_chart("chart", maml_scene(view, family, model, {}), page=PAGE)
x, y = np.array(points).reshape(-1, 2).T
walk = Walk.of(
    model,
    Examples(x[None], y[None]),
    family.grid,
    Waves.one(phase=view.phase)(family.grid)[0],
    steps=view.steps,
)
units_chart("units", units_scene(walk, name="maml"), page=PAGE)
