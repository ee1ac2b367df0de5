"""Eager state, compile driver, devices."""

from plait.runtime import device as device
from plait.runtime.graph_function import GraphFunction as GraphFunction
from plait.runtime.graph_function import graph_function as graph_function
from plait.runtime.variable import Variable as Variable
