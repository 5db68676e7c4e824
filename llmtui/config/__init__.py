"""Settings, server addresses, folders and prompt files."""

from llmtui.config.address import GGUF, Address, builtin_model, builtin_place, file_here, normalise_host
from llmtui.config.errors import SettingsError
from llmtui.config.language import pick_language
from llmtui.config.loading import LoadedSettings, flag_of, load_settings, with_flags
from llmtui.config.packs import find_prompt_pack, shipped_pack
from llmtui.config.places import config_dir, config_path, data_dir, expanded, results_dir
from llmtui.config.settings import Settings
from llmtui.config.settings_file import save_choices

__all__ = [
    "GGUF",
    "Address",
    "LoadedSettings",
    "Settings",
    "SettingsError",
    "builtin_model",
    "builtin_place",
    "config_dir",
    "config_path",
    "data_dir",
    "expanded",
    "file_here",
    "find_prompt_pack",
    "flag_of",
    "load_settings",
    "normalise_host",
    "pick_language",
    "results_dir",
    "save_choices",
    "shipped_pack",
    "with_flags",
]
