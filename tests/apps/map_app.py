"""A page with a chart and the map of a context beneath it, for the browser tests."""

import numpy as np
import streamlit as st
import torch

from metademo.analysis.context_map import context_map as drawn_map
from metademo.models import Model
from metademo.moments.views import MamlView
from metademo.moments.walked import context_walk
from metademo.recipes import configure
from metademo.tasks import as_waves
from metademo.ui.components.chart.chart import interactive_chart
from metademo.ui.components.context_map.context_map import context_map
from metademo.ui.scenes.map_scene import map_scene
from metademo.ui.scenes.scenes import maml_scene

PAGE = "map"

st.set_page_config(page_title="map", layout="wide")
torch.set_num_threads(1)
points = () if st.toggle("No points") else ((-4.0, 2.0), (-1.6, -1.0), (1.0, 0.84), (4.0, -0.76))
config = configure("cavia", "finn")
family = as_waves(config.task_family)
model = Model(config.learner, config.learner.init(np.random.default_rng(0)))
view = MamlView(points=points, amplitude=2.0)
interactive_chart("chart", maml_scene(view, family, model, {}), page=PAGE)
found = drawn_map(model, family, shots=5)
assert found
context_map("map", map_scene(found, context_walk(view, model), view, family), page=PAGE)
