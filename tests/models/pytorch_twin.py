"""The authors' networks in PyTorch, written from the paper notes, with random weights.

Module names are those of the released checkpoints, so that `state_dict()` has their keys.
"""

import torch
from torch import nn

UNITS = ((64, 3), (128, 4), (256, 14), (512, 3))


class SqueezeExcitation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // 16, 1, bias=False)
        self.fc2 = nn.Conv2d(channels // 16, channels, 1, bias=False)

    def forward(self, x):
        mean = x.mean(dim=(2, 3), keepdim=True)
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(mean))))


class Unit(nn.Module):
    def __init__(self, width, channels, stride):
        super().__init__()
        if width == channels:
            self.shortcut_layer = nn.MaxPool2d(1, stride)
        else:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(width, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.Conv2d(width, channels, 3, padding=1, bias=False),
            nn.PReLU(channels),
            nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            SqueezeExcitation(channels),
        )

    def forward(self, x):
        return self.shortcut_layer(x) + self.res_layer(x)


class Backbone(nn.Module):
    """IR-SE-50 with its FC head; with a grid head, too, if `grid`."""

    def __init__(self, grid: bool):
        super().__init__()
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64)
        )
        units, width = [], 64
        for channels, count in UNITS:
            for index in range(count):
                units.append(Unit(width, channels, 1 if index else 2))
                width = channels
        self.body = nn.Sequential(*units)
        if grid:
            self.conv1x1 = nn.Sequential(nn.Conv2d(512, 32, 1), nn.BatchNorm2d(32), nn.PReLU(32))
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(512),
            nn.Dropout(0.6),
            nn.Flatten(),
            nn.Linear(512 * 7 * 7, 512),
            nn.BatchNorm1d(512),
        )

    def features(self, images):
        return self.body(self.input_layer(images))

    def embedding(self, images):
        return self.output_layer(self.features(images))

    def grid(self, images):
        return self.conv1x1(self.features(images))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding_net = nn.Sequential(
            nn.Conv2d(32, 16, 3, padding=1), nn.BatchNorm2d(16), nn.PReLU()
        )
        self.attention = nn.Sequential(
            nn.Conv2d(32, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.PReLU(),
            nn.Conv2d(16, 1, 3, padding=1),
            nn.BatchNorm2d(1),
            nn.PReLU(),
        )

    def forward(self, a, b):
        joined = torch.cat([self.embedding_net(a), self.embedding_net(b)], dim=1)
        logits = self.attention(joined)[:, 0]
        return torch.softmax(logits.flatten(1), dim=1).view_as(logits)


class MarginKernel(nn.Module):
    def __init__(self, dimension, classes):
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(dimension, classes))

    def forward(self, flat):
        """Cosine of each flattened grid (N, dimension) with each class."""
        return nn.functional.normalize(flat, dim=1) @ nn.functional.normalize(self.kernel, dim=0)


class XCos(nn.Module):
    def __init__(self, classes: int = 7):
        super().__init__()
        self.backbone = Backbone(grid=True)
        self.backbone_target = Backbone(grid=False)
        self.attention = Attention()
        self.head = MarginKernel(32 * 7 * 7, classes)

    def forward(self, a, b):
        """Return S, W (N, 7, 7) and xCos (N,) of two image batches (N, 3, 112, 112)."""
        grid_a, grid_b = self.backbone.grid(a), self.backbone.grid(b)
        cells_a, cells_b = (nn.functional.normalize(g, dim=1) for g in (grid_a, grid_b))
        similarity = nn.CosineSimilarity(dim=1, eps=1e-6)(cells_a, cells_b)
        weight = self.attention(grid_a, grid_b)
        return similarity, weight, (similarity * weight).sum(dim=(1, 2))


@torch.no_grad()
def randomise(model: nn.Module, seed: int = 0) -> nn.Module:
    """Give every weight and statistic a random value at which activations neither die nor explode.

    A unit's last normalisation is turned down, so that 24 random units do not wash out what
    distinguishes two images; those of the attention are turned up, so that W is far from uniform.
    """
    generator = torch.Generator().manual_seed(seed)

    def uniform(tensor, low, high):
        tensor.uniform_(low, high, generator=generator)

    for name, module in model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fan_in = module.weight[0].numel()
            module.weight.normal_(0, fan_in**-0.5, generator=generator)
            if module.bias is not None:
                module.bias.normal_(0, 0.1, generator=generator)
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            gain = 0.5 if name.endswith("res_layer.4") else 1.0
            gain = 2.0 if name.startswith("attention.") else gain
            uniform(module.weight, 0.5 * gain, 1.5 * gain)
            module.bias.normal_(0, 0.1, generator=generator)
            module.running_mean.normal_(0, 0.1, generator=generator)
            uniform(module.running_var, 0.5, 2.0)
        elif isinstance(module, nn.PReLU):
            uniform(module.weight, 0.05, 0.5)
    return model.eval()
