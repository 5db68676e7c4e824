"""Prompts and answers of the generated session."""

from __future__ import annotations

ANSWERS = {
    "creativity": (
        "The lamp had turned for forty years before the bottle came. Tomás found it wedged between two rocks below the "
        "gallery, green glass, the cork swollen with salt. He carried it up all one hundred and twelve steps because "
        "his hands were shaking and he did not trust them with a knife on wet stone.\n\nInside was a page torn from a "
        "child's exercise book. «To whoever keeps the light», it said, «we saw you. We were the boat in the storm of "
        "'81, and you were the only thing that did not move.»\n\nHe read it twice, set it beside the log, and wrote: "
        "Wind SW 4, visibility good. One letter received."
    ),
    "reasoning": (
        "Let the first train leave at 9:00 and the second at 10:00. After one hour the first has gone 60 km, so 240 km "
        "are left between them.\n\n1. They approach each other at 60 + 100 = 160 km/h.\n2. 240 km ÷ 160 km/h = 1.5 h."
        "\n3. 10:00 + 1 h 30 min = 11:30.\n\n**They meet at 11:30**, 150 km from the first station. Check: the second "
        "train has gone 1.5 × 100 = 150 km, and 150 + 150 = 300 km. ✓"
    ),
    "coding": (
        "```python\ndef longest_palindrome(text: str) -> str:\n    best = ''\n    for centre in range(len(text)):\n"
        "        for left, right in ((centre, centre), (centre, centre + 1)):\n            while left >= 0 and right < "
        "len(text) and text[left] == text[right]:\n                left, right = left - 1, right + 1\n            "
        "best = max(best, text[left + 1 : right], key=len)\n    return best\n```\n\nEach position is tried as the "
        "centre of an odd and of an even palindrome, which grows as long as both ends agree: O(n²) time, O(1) memory."
    ),
    "summary": (
        "Photosynthesis is how plants, algae and some bacteria turn sunlight, water and carbon dioxide into sugar. The "
        "light is caught by chlorophyll, which splits water and gives off the oxygen that we breathe. Almost all food "
        "chains begin with it, and the coal and oil we burn are its work of millions of years ago."
    ),
}
THOUGHT = (
    "Okay, the user wants an answer to this. Let me think about what matters here and keep it short. First the "
    "setting, then the turn, then an ending that does not explain itself. I should check the numbers "
    "once more before writing. "
)
PROMPTS = {
    "creativity": "Write a short story about a lighthouse keeper who finds a message in a bottle.",
    "reasoning": "A train leaves A at 9:00 at 60 km/h, another leaves B, 300 km away, at 10:00 at 100 km/h. When do "
    "they meet?",
    "coding": "Write a Python function that finds the longest palindrome in a text, and explain it.",
    "summary": "Summarise in three sentences what photosynthesis is and why it matters.",
}
COLD_TEXT = "Explain in detail how a lighthouse works, from the lamp and the lens to the mechanism that turns it. " * 4
