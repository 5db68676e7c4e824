"""The colours of the program's own themes (dark, light, high contrast)."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="llmtui-dark",
    primary="#7AA2F7",
    secondary="#BB9AF7",
    accent="#FF9E64",
    foreground="#C8D0E8",
    background="#14161F",
    surface="#1B1E2B",
    panel="#262A3B",
    success="#9ECE6A",
    warning="#E0AF68",
    error="#F7768E",
    dark=True,
    variables={
        "border": "#3B4261",
        "border-blurred": "#2C3148",
        "block-cursor-background": "#34406B",
        "block-cursor-foreground": "#E6EAF7",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#242940",
        "footer-key-foreground": "#FF9E64",
        "footer-background": "#262A3B",
        "input-selection-background": "#7AA2F7 35%",
    },
)

LIGHT = Theme(
    name="llmtui-light",
    primary="#2E5CB8",
    secondary="#7847BD",
    accent="#B3541E",
    foreground="#2A2F45",
    background="#F7F8FC",
    surface="#EEF0F7",
    panel="#E1E5F0",
    success="#3D7A2E",
    warning="#8F5E15",
    error="#C02D4A",
    dark=False,
    variables={
        "border": "#B5BCD4",
        "border-blurred": "#D3D8E8",
        "block-cursor-background": "#C9D6F5",
        "block-cursor-foreground": "#1B2140",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#E1E7F6",
        "footer-key-foreground": "#B3541E",
        "footer-background": "#E1E5F0",
        "input-selection-background": "#2E5CB8 25%",
    },
)

HIGH_CONTRAST = Theme(
    name="llmtui-high-contrast",
    primary="#6FC3FF",
    secondary="#E0B0FF",
    accent="#FFD700",
    foreground="#FFFFFF",
    background="#000000",
    surface="#000000",
    panel="#1C1C1C",
    success="#5CFF5C",
    warning="#FFB000",
    error="#FF8A8A",
    dark=True,
    variables={
        "border": "#FFFFFF",
        "border-blurred": "#B0B0B0",
        "block-cursor-background": "#FFD700",
        "block-cursor-foreground": "#000000",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#4A4A4A",
        "footer-key-foreground": "#FFD700",
        "footer-background": "#1C1C1C",
    },
)
OWN = (DARK, LIGHT, HIGH_CONTRAST)
